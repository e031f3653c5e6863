-- A specification for busted (Debian: lua-busted, which brings lua-luassert, lua-say, lua-mediator, lua-cliargs,
-- lua-penlight, lua-term, lua-system): passes, failures, errors, spies, async order.
describe("a stack", function()
  local stack
  before_each(function() stack = {} end)
  it("is empty first", function() assert.are.equal(0, #stack) end)
  it("compares deeply", function() assert.are.same({ 1, { 2, x = "y" } }, { 1, { 2, x = "y" } }) end)
  it("fails with a message", function() assert.are.same({ 1, 2 }, { 1, 3 }) end)
  it("sees errors", function() assert.has_error(function() error("oops", 0) end, "oops") end)
  it("raises", function() local x = nil; return x.field end)
  it("spies", function()
    local s = spy.new(function(a) return a * 2 end)
    assert.are.equal(8, s(4))
    assert.spy(s).was.called(1)
    assert.spy(s).was.called_with(4)
    local t = { f = function() return 1 end }
    stub(t, "f")
    t.f()
    assert.stub(t.f).was.called()
  end)
  pending("is not written yet")
end)
