-- A program that selects, sends and receives for ever needs no more memory for it: neither waiters nor cases pile up, also
-- on channels that are never ready.
-- Protects: runtime/select.c (pass 3), runtime/waitq.h.
local N = os.getenv "LUNGODEBUG" and 500 or 20000
local c, back, never, nobody = chan(), chan(), chan(), chan()
go(function()
  for v in c do
    select
    case back <- v then
    case <-never then error "never"
    end
  end
  back:close()
end)
local function rounds()
  for i = 1, N do
    select
    case c <- i then
    case <-never then error "never"
    case nobody <- i then error "never"
    end
    local k, v = select {{recv = never}, {recv = back}, {send = nobody, value = i}}
    assert(k == 2 and v == i)
  end
end
local function live() collectgarbage() collectgarbage() return collectgarbage "count" end
rounds()
local before = live()
rounds() rounds()
print(live() - before < 50) -- expect: true
