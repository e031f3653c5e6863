-- Numeric for: limits, overflow, float steps, types, modified bodies; errors.
-- Protects: OP_FORPREP, OP_FORLOOP.
local maxi, mini = math.maxinteger, math.mininteger
local function count(a, b, c) local n, last = 0, nil; for i = a, b, c or 1 do n = n + 1; last = i; if n > 50 then break end end return n, last end
assert(count(1, 0) == 0 and count(1, 1) == 1 and count(3, 1, -1) == 3 and count(1, 3, -1) == 0)
assert(count(maxi - 1, maxi) == 2 and count(mini, mini) == 1 and count(mini + 1, mini, -1) == 2)
assert(count(maxi, maxi, maxi) == 1 and count(1, maxi, maxi) == 2 or count(1, maxi, maxi) == 1)
assert(count(mini, maxi, maxi) == 3 and count(maxi, mini, mini) == 2 and count(0, mini, mini) == 2)
assert(count(1, math.huge) == 51 and count(1, -math.huge) == 0 and count(1, -math.huge, -1) == 51)
assert(count(1, 3.9) == 3 and count(1, 0 / 0) == 0 and count(3, 1.5, -1) == 2 and count(-1, -3.9, -1) == 3)
assert(count(maxi, 2 ^ 63) == 1 and count(mini, -2 ^ 63, -1) == 1 and count(mini, -2 ^ 64) == 0)
local n, last = count(1.0, 3)
assert(n == 3 and math.type(last) == "float" and last == 3.0)
n, last = count(1, 2, 0.25)
assert(n == 5 and last == 2.0)
assert(count(0.1, 1, 0.1) == 10 and count(1.0, math.huge, 1e308) >= 2 and count(1, 0, 0.5) == 0)
assert(count(0.0, -0.5, -0.25) == 3)
-- NaN: no initial value is beyond such a limit, so the body runs; as lua5.4
assert(count(0 / 0, 3.0) == 1 and count(1.0, 0 / 0) == 1 and count(1.0, 0 / 0, -1) == 1 and count(1, 2.0, 0 / 0) == 0 and count(2, 1.0, 0 / 0) == 1)
assert(count(1, 0 / 0) == 0 and count(1, 0 / 0, -1) == 51)
for i = 1, 3 do local j = i; i = 10; assert(j <= 3) end
local function noloop(a, b, c) for i = a, b, c do return i end end
local function err(f, ...) local ok, e = pcall(f, ...); assert(not ok); return (e:gsub("^.-:%d+: ", "")) end
assert(err(noloop, 1, 10, 0) == "'for' step is zero" and err(noloop, 1.0, 10, 0.0) == "'for' step is zero")
assert(err(noloop, {}, 10, 1) == "bad 'for' initial value (number expected, got table)")
assert(err(noloop, 1, {}, 1) == "bad 'for' limit (number expected, got table)" and err(noloop, 1, 2, print):find("step"))
assert(err(noloop, 1, nil, 1) == "bad 'for' limit (number expected, got nil)")
-- expressions are evaluated once, in order
local order = {}
local function e(x) order[#order + 1] = x; return x end
for i = e(1), e(2), e(1) do end
assert(table.concat(order) == "121")
-- the loop variable is not visible in the header
local i = 5
for i = i, i + 2 do assert(i >= 5 and i <= 7) end
-- nested with break and return
local function find() for a = 1, 10 do for b = 1, 10 do if a * b == 42 then return a, b end end end end
local a, b = find()
assert(a == 6 and b == 7)
-- large count without overflow
local c = 0
for i = maxi - 10, maxi, 3 do c = c + 1 end
assert(c == 4)
for i = mini + 10, mini, -3 do c = c + 1 end
assert(c == 8)
-- while, repeat with locals in the condition
local k = 0
repeat local z = k; k = k + 1 until z == 5
assert(k == 6)
while k > 0 do k = k - 1; if k == 3 then break end end
assert(k == 3)
while true do if k == 0 then break else k = k - 1 end end
assert(k == 0)
