#include "core/error.h"

#include <boost/asio/error.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <new>
#include <system_error>

namespace headrace {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kTransient:
      return "transient";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kBug:
      return "bug";
  }
  std::unreachable();
}

Error Error::during(std::string_view action) const {
  return Error(kind_, std::string(action) + ": " + what(), retry_after_);
}

Error to_error(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& ours) {
    return ours;
  } catch (const boost::system::system_error& asio) {
    const bool cancelled = asio.code() == boost::asio::error::operation_aborted;
    return Error(cancelled ? ErrorKind::kCancelled : ErrorKind::kTransient, asio.what());
  } catch (const boost::asio::multiple_exceptions& several) {
    // Tasks that ran side by side and failed together: the first one is the reason.
    return to_error(several.first_exception());
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::kTransient, "out of memory");
  } catch (const std::exception& other) {
    return Error(ErrorKind::kBug, other.what());
  } catch (...) {
    return Error(ErrorKind::kBug, "something that is no exception was thrown");
  }
}

Error errno_error(int code, std::string_view action) {
  const std::string what = std::string(action) + ": " + std::generic_category().message(code);
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return Error(ErrorKind::kTransient, what + "; free some space");
    case EIO:
    case EAGAIN:
    case EINTR:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EBUSY:
    case ETXTBSY:
    case ESTALE:
      return Error(ErrorKind::kTransient, what);
    default:
      return Error(ErrorKind::kInvalid, what);
  }
}

}  // namespace headrace
