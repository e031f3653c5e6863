-- The start of a talk: a function that would go on forever runs beside us, and we listen as long as we like.
-- Expect: boring! 0 to boring! 4, then we leave, and the speaker is gone with the program

local function boring(msg, c)
  local i = 0
  while true do
    c <- msg .. " " .. i                  -- waits until somebody listens: talking is also synchronizing
    time.sleep(math.random() * 4 * time.millisecond)
    i = i + 1
  end
end

local c = chan("string")
go boring("boring!", c)
for _ = 1, 5 do print("You say: " .. <-c) end
print("You are boring, I am leaving.")
