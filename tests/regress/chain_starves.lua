-- Goroutines that each start the next one inherit the slice of the first. When it was used up while one of them was where it
-- could not give way (here: in a collection), the request was forgotten at its end, and the others never ran.
-- Protects: runtime/sched.c (end_slice).
-- procs: 1
local keep, done, links = {}, false, 0
for i = 1, 20000 do keep[i] = {i} end
local function link()
  links = links + 1
  if done or links > 400 then return end
  go(link)
  collectgarbage()
end
go(link)
go(function() for _ = 1, 3 do runtime.gosched() end done = true end)
while not done and links <= 400 do runtime.gosched() end
print(done and links <= 400) -- expect: true
