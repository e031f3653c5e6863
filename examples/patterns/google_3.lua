-- No result is lost to a slow server: each backend has replicas, the first answer counts and the others are dropped.
-- Expect: a result of each kind, in any order, from a fast replica

local function server(name, seconds)
  return function(query, ctx)
    select
    case <-time.after(seconds) then return name .. " result for " .. query
    case <-ctx:done() then return nil    -- somebody else was faster
    end
  end
end

-- Asks all replicas; whoever answers first wins, and the context tells the rest to stop.
local function first(query, replicas)
  local ctx, cancel = context.withcancel(context.background())
  defer cancel()
  local c = chan("string", #replicas)
  for _, ask in ipairs(replicas) do
    go function()
      local answer = ask(query, ctx)
      if answer then c <- answer end
    end()
  end
  return <-c
end

local function search(query, kinds)
  local c = chan("string")
  for _, kind in ipairs(kinds) do
    go function()
      c <- first(query, { server(kind, 30), server(kind, 0.005), server(kind, 60) })
    end()
  end
  local results = {}
  for i = 1, #kinds do results[i] = <-c end
  return results
end

for _, r in ipairs(search("coffee", { "web", "image", "video" })) do print(r) end
while runtime.numgoroutine() > 1 do time.sleep(time.millisecond) end
print("nobody is still searching")
