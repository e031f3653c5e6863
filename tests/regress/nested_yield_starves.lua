-- A goroutine below a C function that gives way, again and again, lets the others run: its processor went to a thread
-- that looked into the global queue first at every 61st start, and handing it back did not count as a start.
-- Protects: runtime/sched.c (m_run).
-- procs: 1
local done = false
go(function()
  for i = 1, 500 do runtime.gosched() end
  done = true
end)
local turns = 0
table.sort({2, 1}, function(a, b)
  while not done and turns < 100000 do
    turns = turns + 1
    runtime.gosched()
  end
  return a < b
end)
print(done) -- expect: true
