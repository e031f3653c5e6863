-- Starts another program and reads what it prints. Waiting for it stalls nobody: other goroutines go on.
-- Expect: Hello from GoLang, then that the program ended well and that others ran meanwhile

local ticks, stop = atomic.int(), atomic.bool()
go function()
  while not stop:load() do
    ticks:add(1)
    time.sleep(time.millisecond)
  end
end()

local p = assert(io.popen("sleep 0.02; echo 'Hello from GoLang'"))
local output = p:read("a")
local ok, how, status = p:close()
stop:store(true)

io.write(output)
print(ok, how, status)
print("others ran: " .. tostring(ticks:load() > 0))
