-- Debian: lua-luaossl. Digests, HMAC, ciphers, a key that signs and verifies, big numbers.
local digest, hmac, cipher = require "openssl.digest", require "openssl.hmac", require "openssl.cipher"
local pkey, bignum, rand = require "openssl.pkey", require "openssl.bignum", require "openssl.rand"
local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
local key = pkey.new { type = "EC", curve = "prime256v1" }
return { version = "openssl " .. tostring(require "openssl".version()):match "[%w%.%s]+", use = function(id)
  local sha = digest.new "sha256"
  for i = 1, 10 do sha:update(("block %d"):format(i)) end
  local k, iv = ("k"):rep(32), ("i"):rep(16)
  local secret = cipher.new "aes-256-cbc":encrypt(k, iv):final "attack at dawn"
  local plain = cipher.new "aes-256-cbc":decrypt(k, iv):final(secret)
  local sig = key:sign(digest.new "sha256":update "message")
  assert(key:verify(sig, digest.new "sha256":update "message"))
  assert(not key:verify(sig, digest.new "sha256":update "another"))
  assert(#rand.bytes(16) == 16)
  local ok = pcall(digest.new, "no such digest")
  assert(not ok)
  return hex(sha:final()) .. " " .. hex(hmac.new("key", "sha1"):final "data") .. " " .. plain .. " " ..
    tostring(bignum.new(2) ^ 100)
end }
