-- A goroutine that waits is shown with the word for what it waits for, how it was started, and its frames.
-- Protects: runtime/report.c, the WaitReason of each operation.
local c, full, gate, none = chan(), chan(1), chan(), nil
full:send(0)
local mu, rw, read, wg, sem, once = sync.mutex(), sync.rwmutex(), sync.rwmutex(), sync.waitgroup(), sync.semaphore(0), sync.once()
mu:lock() rw:lock() read:rlock() wg:add()
local cond_mu = sync.mutex()
local cond = sync.cond(cond_mu)
local group = sync.errgroup()
group:go(function() gate:recv() end)
local value = sync.oncevalue(function() gate:recv() end)
local flight, ctx = sync.singleflight(), context.withcancel(context.background())
go(function() once(function() gate:recv() end) end)
go(value)
go(function() flight:run(1, function() gate:recv() end) end)
local begun = atomic.int()
repeat runtime.gosched() until select(2, runtime.stack(true):gsub("%[chan receive%]", "")) == 4
local states = {
  {"chan receive", function() c:recv() end},
  {"chan receive", function() local _ = <-c end},
  {"chan receive", function() for _ in c do end end},
  {"chan receive", function() <-ctx:done() end},
  {"chan receive", function() <-time.after(3600) end},
  {"chan send", function() full:send(1) end},
  {"chan send", function() full <- 1 end},
  {"chan receive (nil chan)", function() local _ = <-none end},
  {"chan send (nil chan)", function() none <- 1 end},
  {"select", function() select case <-c then case full <- 1 then end end},
  {"select", function() select {{recv = c}, {send = full, value = 1}} end},
  {"select", function() select case <-none then end end},
  {"select (no cases)", function() select end end},
  {"select (no cases)", function() select {} end},
  {"sleep", function() time.sleep(3600) end},
  {"sync.Mutex.Lock", function() mu:lock() end},
  {"sync.RWMutex.Lock", function() read:lock() end},
  {"sync.RWMutex.RLock", function() rw:rlock() end},
  {"sync.WaitGroup.Wait", function() wg:wait() end},
  {"sync.WaitGroup.Wait", function() group:wait() end},
  {"sync.Cond.Wait", function() cond_mu:lock() cond:wait() end},
  {"sync.Once", function() once(print) end},
  {"sync.Once", value},
  {"sync.Once", function() flight:run(1, print) end},
  {"sync.Semaphore", function() sem:acquire() end},
  {"sync.Semaphore", function() sem:acquire(1, ctx) end},
  {"chan receive", function() coroutine.wrap(function() pcall(c.recv, c) end)() end},
  {"chan receive", function() table.sort({2, 1}, function() c:recv() end) end},
}
for i, s in ipairs(states) do
  local id = chan(1)
  go(function() id:send(runtime.goid()) s[2]() end)
  local n, shown, text = <-id, nil, nil
  for _ = 1, 100000 do
    text = ("\n\n" .. runtime.stack(true) .. "\n\n"):match("\n\ngoroutine " .. n .. " (.-)\n\n")
    shown = text and text:match "^%[(.-)[,%]]"
    if shown ~= "running" and shown ~= "runnable" then break end
    runtime.gosched()
  end
  if shown ~= s[1] then print(i, "shown as", shown, "not", s[1], text) end
  if not text:find("\n\t", 1, true) or not text:find("created by goroutine 1 at tests/golike/dump_states.lua:%d+") then print(i, text) end
end
local mine = runtime.stack()
print(mine:find "^goroutine 1 %[running%]:\n" ~= nil, mine:find("goroutine", 10, true)) -- expect: true	nil
