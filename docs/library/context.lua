---@meta

---A context tells the goroutines of one task to stop, and carries values of the task.
---@class context
local ctx = {}

---@class contextlib
context = {}

---@alias context.error "context canceled"|"context deadline exceeded"

---The root of all others: never cancelled, no deadline, no values.
---@return context
---@nodiscard
function context.background() end

---A context below `ctx`, and the function that cancels it.
---@param ctx context
---@return context ctx
---@return fun() cancel
---@nodiscard
function context.withcancel(ctx) end

---A context below `ctx`, and the function that cancels it and says why.
---@param ctx context
---@return context ctx
---@return fun(cause?: any) cancel
---@nodiscard
function context.withcancelcause(ctx) end

---A context below `ctx` that is cancelled after `d` seconds, and the function that cancels it before.
---@param ctx context
---@param d number
---@return context ctx
---@return fun() cancel
---@nodiscard
function context.withtimeout(ctx, d) end

---A context below `ctx` that is cancelled at the time `t` (of `time.now`), and the function that cancels it before.
---@param ctx context
---@param t number
---@return context ctx
---@return fun() cancel
---@nodiscard
function context.withdeadline(ctx, t) end

---A context below `ctx` that carries `v` under the key `k`.
---@param ctx context
---@param k any
---@param v any
---@return context
---@nodiscard
function context.withvalue(ctx, k, v) end

---A receive-only channel that is closed when the context is cancelled.
---@return chan<any>
---@nodiscard
function ctx:done() end

---Nil while the context lives.
---@return context.error?
---@nodiscard
function ctx:err() end

---Nil while the context lives, then what it was cancelled for.
---@return any
---@nodiscard
function ctx:cause() end

---When it will be cancelled (of `time.now`), or nil.
---@return number?
---@nodiscard
function ctx:deadline() end

---The value under the key, from the nearest context that has it, or nil.
---@param k any
---@return any
---@nodiscard
function ctx:value(k) end
