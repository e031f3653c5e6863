-- A timeout for each message, and one for the whole conversation.
-- Expect: three messages, then the speaker is too slow; then a conversation that is cut off though nobody is slow

local function speaker(pauses)
  local c = chan("string")
  go function()
    local i = 0
    while true do
      i = i + 1
      c <- "message " .. i
      time.sleep(pauses(i))
    end
  end()
  return c
end

-- time.after is called anew in each round: the limit is for one message.
local function listen_each(c)
  while true do
    select
    case s = <-c then print(s)
    case <-time.after(0.4) then
      print("You are too slow.")
      return
    end
  end
end
listen_each(speaker(function(i) return i < 3 and 0.001 or 60 end))

-- Called once, before the loop: the limit is for all of them.
local function listen_all(c)
  local over, n = time.after(0.05), 0
  while true do
    select
    case <-c then n = n + 1
    case <-over then
      print("You talk too much.", n > 0)
      return
    end
  end
end
listen_all(speaker(function() return 0.001 end))
