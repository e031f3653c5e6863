-- Coroutines stay Lua's among goroutines: yield goes to who resumed, whichever goroutine that is; one at a time; the base of a
-- goroutine is no coroutine.
-- Protects: vm/coro.c, stdlib/corolib.c.
local out = chan(10)
go(function()
  local ok, e = pcall(coroutine.yield)
  local co, main = coroutine.running()
  out:send {ok, e, main, type(co), coroutine.isyieldable(), coroutine.status(co)}
end)
local r = <-out
print(table.unpack(r, 1, 2))                        -- expect: false	attempt to yield from outside a coroutine
print(table.unpack(r, 3, 6))
print(select(2, coroutine.running()), select(2, coroutine.wrap(coroutine.running)())) -- expect: false	thread	false	running
-- expect: true	false
-- Made by one, resumed by many, finished by another; each value goes to the one that resumed.
local co, wg = coroutine.create(function(a) for i = 1, 100 do a = coroutine.yield(a) end return "end" end), sync.waitgroup()
local turn = sync.mutex()
for g = 1, 4 do
  wg:go(function()
    for i = 1, 25 do
      local _ <close> = turn:lock()
      local ok, v = coroutine.resume(co, g * 100 + i)
      assert(ok and v == g * 100 + i)
    end
  end)
end
wg:wait()
print(coroutine.resume(co))                         -- expect: true	end
-- While another goroutine runs it: it is normal, it cannot be resumed, closed or wrapped around.
local began, gate = chan(), chan()
local busy = coroutine.create(function() began:send(true) gate:recv() coroutine.yield "here" end)
go(function() out:send {coroutine.resume(busy)} end)
began:recv()
print(coroutine.status(busy), coroutine.resume(busy)) -- expect: normal	false	cannot resume non-suspended coroutine
print((pcall(coroutine.close, busy)))               -- expect: false
gate:send(true)
r = <-out
print(r[1], r[2], coroutine.status(busy))           -- expect: true	here	suspended
-- Two at once: one of them runs it, the other gets the error, and no step is lost or made twice.
local N = os.getenv "LUNGODEBUG" and 100 or 2000
local steps, ran, refused = 0, atomic.int(), atomic.int()
local contested = coroutine.create(function() while true do steps = steps + 1 coroutine.yield() end end)
for _ = 1, 3 do
  wg:go(function()
    for _ = 1, N do
      local ok, e = coroutine.resume(contested)
      if ok then ran:add(1) else
        assert(e == "cannot resume non-suspended coroutine", e)
        refused:add(1)
      end
    end
  end)
end
wg:wait()
print(steps == ran:load(), ran:load() + refused:load() == 3 * N) -- expect: true	true
-- An error and goexit inside: the error is the resumer's, goexit ends the resumer's goroutine.
local failing = coroutine.create(function() error "inside" end)
go(function() out:send {coroutine.resume(failing)} end)
r = <-out
print(r[1], (r[2]:gsub("^.*: ", "")), coroutine.status(failing)) -- expect: false	inside	dead
go(function()
  defer out:send("deferred")
  coroutine.wrap(function() defer out:send("inner") runtime.goexit() end)()
  out:send "came back"
end)
print(<-out, <-out, #out)                           -- expect: inner	deferred	0
