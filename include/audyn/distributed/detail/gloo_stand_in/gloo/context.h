// What c10d's ProcessGroupGloo.hpp names of gloo, whose headers libtorch does not ship. Found only where no real gloo is.
#pragma once

#include <chrono>
#include <memory>

namespace gloo {

namespace transport {
class UnboundBuffer {
public:
    virtual ~UnboundBuffer() = default;
};
} // namespace transport

class Context {
public:
    void setTimeout(std::chrono::milliseconds timeout);
    std::chrono::milliseconds getTimeout() const;
};

} // namespace gloo
