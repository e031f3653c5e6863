-- Debian: lua-sec. Contexts and their errors, a certificate read; no network.
local ssl = require "ssl"
local x509 = require "ssl.x509"
return { version = ssl._VERSION, use = function(id)
  local ctx = assert(ssl.newcontext { mode = "client", protocol = "tlsv1_2", verify = "none", options = "all" })
  local none, e = ssl.newcontext { mode = "client", protocol = "nonsense" }
  assert(none == nil)
  local bad = x509.load "no certificate"
  assert(bad == nil)
  return tostring(ctx):match "^%a+" .. " " .. e
end }
