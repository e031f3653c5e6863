---@meta

---Starts a goroutine that calls `f(...)`. Function and arguments are evaluated by the caller; results are dropped. `go f(...)` is the
---same. Raises an error if `f` cannot be called.
---@param f function
---@param ... any
function go(f, ...) end

---A to-be-closed value that calls `f(...)` at the end of its block: `local _ <close> = defer(f, ...)`. The statement `defer f(...)`
---makes the call at the end of the function.
---@param f function
---@param ... any
---@return defer
---@nodiscard
function defer(f, ...) end

---What `defer` returns: a value for a to-be-closed variable.
---@class defer

---@class select.case A case with neither channel is never ready.
---@field recv? chan<any> receive from this channel
---@field send? chan<any> send on this one
---@field value? any what to send
---@field [1]? fun(v: any, ok: boolean): ... called if the case runs; its results come back

---@class select.cases
---@field [integer] select.case
---@field default? boolean|fun(): ... do not wait if no case is ready

---Waits until one of the cases is ready, and runs it: of several ready ones a random one. Returns its index (0: the default) and, of a
---receive, the value and whether it was sent; or what its handler returns. With a number or `"#"` in front it is Lua's `select`.
---@overload fun(n: integer|"#", ...: any): ...
---@param cases select.cases
---@return integer i
---@return any v
---@return boolean ok
function select(cases) end
