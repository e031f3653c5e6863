-- A search engine asks its three backends one after the other.
-- Expect: three results in this order, after as long as all of them took together

local function backend(kind, seconds)
  return function(query)
    time.sleep(seconds)
    return kind .. " result for " .. query
  end
end
local web, image, video = backend("web", 0.01), backend("image", 0.02), backend("video", 0.015)

local function search(query)
  return { web(query), image(query), video(query) }
end

local start = time.monotonic()
local results = search("coffee")
local took = time.monotonic() - start
for _, r in ipairs(results) do print(r) end
print("took the sum: " .. tostring(took >= 0.045))
