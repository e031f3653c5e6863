-- The deep dive into a channel of capacity 3: what happens to its queue when the sender comes first, when the receiver
-- comes first, and when the buffer is full.
-- Expect: the three scenarios, each with the queue's length at every step.
local function state(ch, what) print(string.format("  %-34s %d of %d queued", what, #ch, ch:cap())) end

print("sender first: the value waits in the ring")
local ch = chan(3)
state(ch, "made")
ch <- "a"
state(ch, "after ch <- a")
print("  received " .. <-ch)
state(ch, "after <-ch")

print("receiver first: the value is handed over, the ring stays empty")
local got = chan()
go function() got <- <-ch end()
while runtime.stats().parks == 0 do runtime.gosched() end -- until the receiver waits
ch <- "b"
state(ch, "after ch <- b")
print("  received " .. <-got)

print("full: the fourth sender waits until a receiver makes room")
for _, v in ipairs { "c", "d", "e" } do ch <- v end
state(ch, "after three sends")
local sent = chan()
go function()
  ch <- "f"
  sent <- true
end()
print("  received " .. <-ch)
<-sent
state(ch, "the waiting sender's value moved in")
for _ = 1, 3 do print("  received " .. <-ch) end
state(ch, "drained, in order")
