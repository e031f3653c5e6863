---@meta

---@alias chan.elementtype
---| "boolean"
---| "number"
---| "integer"
---| "float"
---| "string"
---| "table"
---| "function"
---| "userdata"
---| "thread"
---| "chan"

---A channel, or a view of one that can only send or only receive. `ch()` receives, as `for v in ch do` needs it; `#ch` is the number of
---values queued; `local ch <close> = chan()` closes it.
---@class chan<T>
---@operator len: integer
---@overload fun(): T?, boolean
---Blocks until `v` is received or buffered. Raises an error for nil, for a value of another type than the channel's, and on a closed
---channel. `ch <- v` is the same.
---@field send fun(self: chan<T>, v: T)
---Blocks until there is a value; nil and false once the channel is closed and drained. `<-ch` is the same, for one value.
---@field recv fun(self: chan<T>): (v: T?, ok: boolean)
---Sends if that needs no waiting, and says whether.
---@field trysend fun(self: chan<T>, v: T): (sent: boolean)
---Receives if that needs no waiting; `ready` is false if there was nothing and the channel is open.
---@field tryrecv fun(self: chan<T>): (v: T?, ok: boolean, ready: boolean)
---No more values will come: wakes all who wait. Raises an error if it is closed already, or a receive-only view.
---@field close fun(self: chan<T>)
---The capacity.
---@field cap fun(self: chan<T>): integer
---A view that can only send and close.
---@field sender fun(self: chan<T>): chan<T>
---A view that can only receive.
---@field receiver fun(self: chan<T>): chan<T>

---A call makes a channel with room for `n` values (default 0: unbuffered), of any type or of one.
---@class chanlib
---@overload fun(n?: integer): chan<any>
---@overload fun(type: "boolean", n?: integer): chan<boolean>
---@overload fun(type: "number", n?: integer): chan<number>
---@overload fun(type: "integer", n?: integer): chan<integer>
---@overload fun(type: "float", n?: integer): chan<number>
---@overload fun(type: "string", n?: integer): chan<string>
---@overload fun(type: "table", n?: integer): chan<table>
---@overload fun(type: "function", n?: integer): chan<function>
---@overload fun(type: "userdata", n?: integer): chan<userdata>
---@overload fun(type: "thread", n?: integer): chan<thread>
---@overload fun(type: "chan", n?: integer): chan<chan<any>>
---@overload fun(type: chan.elementtype, n?: integer): chan<any>
chan = {}

---`"chan string"`, `"chan"`, `"chan<- integer"`, `"<-chan integer"`; nil if `x` is no channel.
---@param x any
---@return string?
---@nodiscard
function chan.type(x) end
