-- Debian: lua-socket. A TCP connection and UDP datagrams with itself, timeouts, mime and ltn12 filters, URLs.
local socket, mime, ltn12, url = require "socket", require "mime", require "ltn12", require "socket.url"
return { version = socket._VERSION, use = function(id)
  local server = assert(socket.bind("127.0.0.1", 0))
  server:settimeout(5)
  local _, port = server:getsockname()
  local a = assert(socket.connect("127.0.0.1", port))
  local b = assert(server:accept())
  b:settimeout(0)
  local none, e = b:receive "*l"
  assert(none == nil and e == "timeout")
  b:settimeout(5)
  assert(a:send "hello\nworld 12345")
  local line, rest = assert(b:receive "*l"), assert(b:receive(5))
  local r = socket.select({ b }, nil, 1)
  assert(r[1] == b)
  a:close()
  local tail, closed, partial = b:receive "*l"
  b:close()
  server:close()
  local u1, u2 = socket.udp(), socket.udp()
  assert(u1:setsockname("127.0.0.1", 0))
  u1:settimeout(5)
  local _, uport = u1:getsockname()
  assert(u2:sendto("datagram", "127.0.0.1", uport))
  local got = u1:receive()
  u1:close()
  u2:close()
  local sink, t = ltn12.sink.table()
  ltn12.pump.all(ltn12.source.string(("line of text "):rep(20)), ltn12.sink.chain(
    ltn12.filter.chain(mime.encode "base64", mime.wrap "base64"), sink))
  local refused, why = socket.connect("127.0.0.1", 1)
  assert(not refused)
  return table.concat({ line, rest, tostring(closed), partial, got, #table.concat(t), mime.unb64(mime.b64 "x\0y"):byte(2),
    url.parse "http://user@host:80/a/b?q#f".path, why }, " ")
end }
