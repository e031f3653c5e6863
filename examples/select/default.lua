-- With an else, select never waits.
-- Expect: no message received, no message sent, no activity
local messages, signals = chan("string"), chan("boolean")

select
case msg = <-messages then print("received message", msg)
else print("no message received")
end

select
case messages <- "hi" then print("sent message")
else print("no message sent")
end

select
case msg = <-messages then print("received message", msg)
case sig = <-signals then print("received signal", sig)
else print("no activity")
end
