-- Done channels: receive only, always the same one, closed on cancel; the background's is never closed.
-- Protects: stdlib/contextlib.c (make_done), runtime/context.c.
local ctx, cancel = context.withcancel(context.background())
local done = ctx:done()
print(rawequal(done, ctx:done()), chan.type(done))           -- expect: true	<-chan
print(select(2, pcall(done.close, done)))                    -- expect: cannot close a receive-only channel
print(rawequal(context.withvalue(ctx, 1, 2):done(), done))   -- expect: true
print(done:tryrecv())                                        -- expect: nil	false	false
local woken, wg = atomic.int(), sync.waitgroup()
for i = 1, 30 do
  wg:go(function()
    if i % 3 == 0 then <-ctx:done()
    elseif i % 3 == 1 then select case <-ctx:done() then case <-time.after(60) then print("late") end
    else for _ in ctx:done() do end end
    assert(ctx:err() == "context canceled")
    woken:add(1)
  end)
end
time.sleep(0.01)
cancel()
wg:wait()
print(woken:load(), done:tryrecv())                          -- expect: 30	nil	false	true

-- Asked for only after the cancel: closed from the start. By several at once: one channel.
local late, cancellate = context.withcancel(context.background())
cancellate()
print(late:done():recv())                                    -- expect: nil	false
for _ = 1, 50 do
  local c, cancelc = context.withcancel(context.background())
  local seen = chan(4)
  for _ = 1, 4 do go(function() seen:send(c:done()) end) end
  cancelc()
  local first = seen:recv()
  for _ = 1, 3 do assert(rawequal(first, (seen:recv()))) end
  assert(not select(2, first:recv()))
end

local bgdone = context.background():done()
print(rawequal(bgdone, context.background():done()), bgdone:tryrecv())   -- expect: true	nil	false	false
select case <-bgdone then print("never") case <-time.after(0.01) then print("still open") end  -- expect: still open
