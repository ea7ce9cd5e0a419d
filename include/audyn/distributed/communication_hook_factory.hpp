#pragma once

#include <functional>
#include <memory>

namespace audyn::distributed {

/// How the gradients of one bucket are averaged over the ranks; see <audyn/distributed/communication_hooks.hpp>.
class CommunicationHook;

/// Makes a hook for each model that is wrapped.
using CommunicationHookFactory = std::function<std::shared_ptr<CommunicationHook>()>;

} // namespace audyn::distributed
