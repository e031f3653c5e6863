-- The type of a message and the type of the channel it came through.
-- Expect: msg-type string, ch-type chan string, hello
local ch = chan("string")
go function() ch <- "hello" end()
local msg = <-ch
print("msg-type", type(msg))
print("ch-type", chan.type(ch))
print(msg)
