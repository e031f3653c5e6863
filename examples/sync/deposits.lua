-- A mutex guards an account; two deposits at once.
-- Expect: two lines about depositing, then New Balance: 300
local mutex, wg = sync.mutex(), sync.waitgroup()
local balance = 0

local function deposit(value)
  mutex:lock()
  print(string.format("Depositing %d to account with balance: %d", value, balance))
  balance = balance + value
  mutex:unlock()
  wg:done()
end

wg:add(2)
go deposit(100)
go deposit(200)
wg:wait()
print("New Balance: " .. balance)
