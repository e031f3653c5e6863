-- Two players and a ball on a table, which is a channel: whoever receives the ball hits it and sends it back. Taking the
-- ball off the table ends the game.
-- Expect: ping 1, pong 2, ping 3, ... for a while, then how often the ball was hit

local function player(name, court)
  for ball in court do
    ball.hits = ball.hits + 1             -- no lock: only who has the ball touches it
    print(name .. " " .. ball.hits)
    time.sleep(2 * time.millisecond)
    court <- ball
  end
end

local court = chan("table")
go player("ping", court)
court <- { hits = 0 }                     -- ping is alone at the court and gets the ball
go player("pong", court)
time.sleep(50 * time.millisecond)
local ball = <-court
print("hits: " .. ball.hits)
