-- Objects with methods and inheritance.
local Account = {}
Account.__index = Account
function Account.new(b) return setmetatable({ balance = b, ops = 0 }, Account) end
function Account:deposit(v) self.balance = self.balance + v self.ops = self.ops + 1 end
function Account:withdraw(v)
  if v > self.balance then return false end
  self.balance = self.balance - v
  self.ops = self.ops + 1
  return true
end
local Special = setmetatable({}, { __index = Account })
Special.__index = Special
function Special.new(b, l) local o = Account.new(b) o.limit = l return setmetatable(o, Special) end
function Special:withdraw(v)
  if v - self.balance >= self.limit then return false end
  self.balance = self.balance - v
  self.ops = self.ops + 1
  return true
end
local total = 0
for i = 1, 300000 do
  local a, b = Account.new(i), Special.new(i, 10)
  for j = 1, 5 do
    a:deposit(j)
    b:deposit(j)
    a:withdraw(3)
    b:withdraw(4)
  end
  total = total + a.balance - b.balance + a.ops + b.ops
end
assert(total == 7500004)
