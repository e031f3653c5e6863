---@meta

---Values that several goroutines change in single steps, sequentially consistent. Nothing here blocks.
---@class atomiclib
atomic = {}

-- int -----------------------------------------------------------------------------------------------------------------

---An integer. It wraps around.
---@class atomic.int
local int = {}

---An integer, 0 by default.
---@param n? integer
---@return atomic.int
---@nodiscard
function atomic.int(n) end

---The value.
---@return integer
---@nodiscard
function int:load() end

---Sets the value.
---@param v integer
function int:store(v) end

---Adds `d`; returns the new value.
---@param d integer
---@return integer new
function int:add(d) end

---Sets the value; returns the old one.
---@param v integer
---@return integer old
function int:swap(v) end

---Sets `new` if the value is `old`, and says whether.
---@param old integer
---@param new integer
---@return boolean swapped
function int:compareandswap(old, new) end

---Sets `new` if the value is `old`, and says whether.
---@param old integer
---@param new integer
---@return boolean swapped
function int:cas(old, new) end

---Sets the value to `old & v`; returns the old one.
---@param v integer
---@return integer old
function int:band(v) end

---Sets the value to `old | v`; returns the old one.
---@param v integer
---@return integer old
function int:bor(v) end

-- bool ----------------------------------------------------------------------------------------------------------------

---A boolean.
---@class atomic.bool
local bool = {}

---A boolean, false by default.
---@param b? boolean
---@return atomic.bool
---@nodiscard
function atomic.bool(b) end

---The value.
---@return boolean
---@nodiscard
function bool:load() end

---Sets the value.
---@param v boolean
function bool:store(v) end

---Sets the value; returns the old one.
---@param v boolean
---@return boolean old
function bool:swap(v) end

---Sets `new` if the value is `old`, and says whether.
---@param old boolean
---@param new boolean
---@return boolean swapped
function bool:compareandswap(old, new) end

---Sets `new` if the value is `old`, and says whether.
---@param old boolean
---@param new boolean
---@return boolean swapped
function bool:cas(old, new) end

-- value ---------------------------------------------------------------------------------------------------------------

---Any value, nil included.
---@class atomic.value<T>
---The value.
---@field load fun(self: atomic.value<T>): T
---Sets the value.
---@field store fun(self: atomic.value<T>, v: T)
---Sets the value; returns the old one.
---@field swap fun(self: atomic.value<T>, v: T): T
---Sets `new` if the value is `old` (compared with `rawequal`), and says whether.
---@field compareandswap fun(self: atomic.value<T>, old: T, new: T): boolean
---Sets `new` if the value is `old` (compared with `rawequal`), and says whether.
---@field cas fun(self: atomic.value<T>, old: T, new: T): boolean

---A value, nil by default.
---@generic T
---@param v? T
---@return atomic.value<T>
---@nodiscard
function atomic.value(v) end
