-- After close, a receive gives nil and false: the receiver learns that nothing more will come.
-- Expect the five lines, the last: Channel is closed!
local function greet(ch)
  print("Greeter waiting to send greeting!")
  ch <- "Hello Rwitesh"
  ch:close()
  print("Greeter completed")
end

local msg = chan("string")
go greet(msg)
time.sleep(0.4 * time.second)

local greeting = <-msg

time.sleep(0.4 * time.second)
print("Greeting received")
print(greeting)

local _, ok = <-msg
if ok then
  print("Channel is open!")
else
  print("Channel is closed!")
end
