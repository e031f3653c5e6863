-- A hundred deposits and a hundred withdrawals of 1, in any order, under one lock.
-- Expect: 0
local mu, wg = sync.mutex(), sync.waitgroup()
local balance = 0

local function deposit(amount)
  defer wg:done()
  mu:lock()
  defer mu:unlock()
  balance = balance + amount
end

local function withdrawal(amount)
  defer wg:done()
  mu:lock()
  defer mu:unlock()
  balance = balance - amount
end

wg:add(200)
for _ = 1, 100 do
  go deposit(1)
  go withdrawal(1)
end
wg:wait()
print(balance)
