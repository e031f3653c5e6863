-- options: --race
-- Sends and receives in a select are edges as any others, of the case that was taken.
local a, b, quit, t = chan(), chan(1), chan(), {n = 0}
local wg = sync.waitgroup()
wg:go(function()
  for i = 1, 50 do
    local box = {i}
    select
    case a <- box then
    case b <- box then
    end
  end
  quit:close()
end)
local sum, open = 0, true
while open do
  select
  case box = <-a then
    sum = sum + box[1]
    box[1] = 0
  case box = <-b then
    sum = sum + box[1]
    box[1] = 0
  case <-quit then open = false
  end
end
local last = b:tryrecv()
assert(sum + (last and last[1] or 0) == 1275)
wg:wait()
