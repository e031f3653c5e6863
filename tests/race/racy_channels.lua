-- options: --race
-- expect-status: 66
-- Channels that do not help: after the send, two senders into one buffer, before the wait, sleeping, giving way.
-- expect-stderr: \(field 'after'\)
-- expect-stderr: \(field 'senders'\)
-- expect-stderr: \(field 'buffer'\)
-- expect-stderr: \(field 'slept'\)
-- expect-stderr: \(field 'counted'\)
-- expect-stderr: \(field 'waited'\)
-- expect-stderr: ^Found 6 data races$
local t, wg = {}, sync.waitgroup()
local ch, buf, roomy = chan(), chan(4), chan(2)
wg:go(function()
  ch <- true
  t.after = 1
end)
ch:recv()
t.after = 2
for i = 1, 2 do
  wg:go(function()
    t.senders = i
    buf <- i
  end)
end
wg:go(function()
  roomy <- 1
  t.buffer = 1
end)
wg:go(function()
  roomy:recv()
  t.buffer = 2
end)
wg:go(function() t.slept = 1 end)
time.sleep(0.02)
runtime.gosched()
t.slept = 2
local other = sync.waitgroup()
for i = 1, 2 do
  other:add(1)
  wg:go(function()
    if i == 2 then other:add(1) other:done() end
    t.counted = i
    other:done()
  end)
end
local one = chan(1) -- a buffered send does not wait for its receiver, even if that is there first
wg:go(function()
  t.waited = 1
  one:recv()
end)
repeat runtime.gosched() until runtime.stack(true):find("chan receive")
one <- true
t.waited = 2
wg:wait()
