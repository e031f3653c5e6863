-- A feed reader. Each subscription is one goroutine that owns all its state and does everything in one select: it fetches
-- when it is time, hands out what it has, and ends when told. What must not happen now is a case on a nil channel.
-- Expect: the items 0 to 3 of each of three feeds, in any order and none twice; then each subscription says how it ended

local MAX_PENDING = 10

-- fetch() → list of items and the seconds to wait before the next fetch, or an error.
local function subscribe(fetch)
  local updates, closing = chan("string"), chan("chan")

  local function loop()
    local pending, seen, last_error = {}, {}, nil
    local next_fetch = time.now()
    local fetched                          -- where the fetch under way will answer; nil if there is none
    while true do
      local start, out
      if not fetched and #pending < MAX_PENDING then start = time.after(next_fetch - time.now()) end
      if #pending > 0 then out = updates end

      select
      case <-start then
        fetched = chan("table", 1)
        go function(answer) answer <- table.pack(pcall(fetch)) end(fetched)   -- may take long: not in this loop
      case result = <-fetched then
        local ok, items, wait = table.unpack(result)
        fetched = nil
        if ok then
          last_error = nil
        else
          last_error, items, wait = items, {}, 0.002                          -- try again soon
        end
        next_fetch = time.now() + wait
        for _, item in ipairs(items) do
          if not seen[item] then
            seen[item] = true
            table.insert(pending, item)
          end
        end
      case out <- pending[1] or "" then
        table.remove(pending, 1)
      case reply = <-closing then
        updates:close()
        reply <- last_error or "closed"
        return
      end
    end
  end
  go loop()

  return {
    updates = updates:receiver(),
    close = function()
      local reply = chan("string")
      closing <- reply
      return <-reply
    end,
  }
end

-- One stream of several subscriptions. Closing it closes them all, also while a forwarder waits for a reader.
local function merge(...)
  local subscriptions, quit, forwarders = { ... }, chan(), sync.waitgroup()
  local updates = chan("string")
  for _, s in ipairs(subscriptions) do
    forwarders:go(function()
      for item in s.updates do
        select
        case updates <- item then
        case <-quit then return
        end
      end
    end)
  end
  return {
    updates = updates:receiver(),
    close = function()
      local states = {}
      quit:close()
      for i, s in ipairs(subscriptions) do states[i] = s.close() end
      forwarders:wait()
      updates:close()
      return states
    end,
  }
end

-- Feeds to read: each fetch brings the newest item and the one before it again.
-- With a channel `gone` it breaks after that, and closes the channel when it was asked in vain twice.
local function feed(name, gone)
  local n, failures = 0, 0
  return function()
    time.sleep(0.001)
    if n == 3 and gone then
      failures = failures + 1
      if failures == 2 then gone:close() end
      error(name .. " has gone", 0)
    end
    if n < 3 then n = n + 1 end
    return { name .. " " .. n - 1, name .. " " .. n }, 0.001
  end
end

local gone = chan()
local all = merge(subscribe(feed("lua")), subscribe(feed("go")), subscribe(feed("radio", gone)))
for _ = 1, 12 do print(<-all.updates) end
<-gone
for _, state in ipairs(all.close()) do print(state) end
print("open: " .. tostring(select(2, all.updates:recv())))
