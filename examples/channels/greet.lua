-- An unbuffered send waits for its receiver: the greeter cannot complete before main receives.
-- Expect the four lines: the greeter waits, completes; the greeting is received and printed.
local function greet(ch)
  print("Greeter waiting to send greeting!")
  ch <- "Hello vignesh"
  print("Greeter completed")
end

local msg = chan("string")
go greet(msg)
time.sleep(0.4 * time.second)

local greeting = <-msg

time.sleep(0.4 * time.second)
print("Greeting received")
print(greeting)
