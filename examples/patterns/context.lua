-- A search asks three backends at once; its context stops the slow ones as soon as the answer is there, or time is up.
-- Expect: the fast answer and two backends told to stop, then a search that runs out of time, with its user's name

-- A backend works in small steps and looks at its context between them.
local function backend(ctx, name, seconds)
  select
  case <-ctx:done() then
    return nil, name .. " stopped: " .. ctx:err()
  case <-time.after(seconds) then
    return name .. " found it for " .. ctx:value("user")
  end
end

local function search(ctx, backends)
  local ctx, cancel = context.withcancel(ctx)
  local answers, others = chan("string"), sync.waitgroup()
  for name, seconds in pairs(backends) do
    others:go(function()
      local answer, err = backend(ctx, name, seconds)
      if answer then
        select
        case answers <- answer then
        case <-ctx:done() then
        end
      else
        print(err)
      end
    end)
  end
  local result, err
  select
  case answer = <-answers then result = answer
  case <-ctx:done() then err = ctx:err()
  end
  cancel()       -- whatever still runs below stops now
  others:wait()
  if result then return result end
  return nil, err
end

local request = context.withvalue(context.background(), "user", "ann")
print(search(request, { fast = 0.02, slow = 30, slower = 60 }))

local short, cancel = context.withtimeout(request, 0.02)
defer cancel()
print(search(short, { sleepy = 30 }))
