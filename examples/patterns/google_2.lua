-- The same search with all backends at once, which takes as long as the slowest; and one that does not wait for it.
-- Expect: three results in any order; then only two, as the third backend has a bad day

local function backend(kind, seconds)
  return function(query)
    time.sleep(seconds)
    return kind .. " result for " .. query
  end
end

-- No locks, no callbacks: each backend sends on the same channel, which has room for all, so that those who come too
-- late are not left waiting.
local function search(query, limit, backends)
  local c, results = chan("string", #backends), {}
  for _, ask in ipairs(backends) do
    go function() c <- ask(query) end()
  end
  local timeout = time.after(limit)
  for _ = 1, #backends do
    select
    case r = <-c then results[#results + 1] = r
    case <-timeout then return results, "timed out"
    end
  end
  return results
end

local function show(results, err)
  for _, r in ipairs(results) do print(r) end
  if err then print(err) end
end

local web, image, video = backend("web", 0.01), backend("image", 0.02), backend("video", 0.015)
show(search("coffee", 10, { web, image, video }))
show(search("tea", 0.3, { web, image, backend("video", 60) }))
