-- io.popen writes out what other files have in their buffers; it waited for the stream of everybody who was reading from a pipe or
-- terminal, and with it each goroutine that opened or closed a file.
-- Protects: stdlib/iolib.c (flush_all).
local name, sign = os.tmpname(), os.tmpname()
os.remove(sign)
local p = io.popen("until [ -e " .. sign .. " ]; do sleep 0.01; done; echo seen")
local said = chan()
go(function() said:send(p:read "a") end)
while not runtime.stack(true):find "%[syscall" do runtime.gosched() end
local f = io.open(name, "w")
f:write "what was buffered"
local q = io.popen("cat " .. name .. "; touch " .. sign)
print(q:read "a") -- expect: what was buffered
io.write((said:recv())) -- expect: seen
for _, file in ipairs {f, p, q} do assert(file:close()) end
os.remove(name)
os.remove(sign)
