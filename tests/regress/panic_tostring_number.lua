-- An error object whose __tostring returns no string is named by its own type, as lua5.4 does.
-- expect-status: 2
-- expect-stderr: ^panic: \(error object is a table value\)$
error(setmetatable({}, {__tostring = function() return 5 end}))
