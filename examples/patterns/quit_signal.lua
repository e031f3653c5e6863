-- Telling a goroutine to quit, and hearing from it that it has cleaned up: the same channel serves both ways.
-- Expect: a few messages, then the speaker cleans up and says good-bye before the program ends

local function speaker(msg, quit)
  local c = chan("string")
  go function()
    local i = 0
    while true do
      i = i + 1
      select
      case c <- msg .. " " .. i then
      case <-quit then
        print("cleaning up")
        quit <- "See you!"                -- the main goroutine waits for this, so we are not cut off
        return
      end
    end
  end()
  return c
end

local quit = chan("string")
local c = speaker("Hi", quit)
for _ = 1, 3 do print(<-c) end
quit <- "Bye!"
print("Joe says: " .. <-quit)
