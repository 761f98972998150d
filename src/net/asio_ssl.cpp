// The one place where Asio's non-template TLS code is compiled.
#include <boost/asio/ssl/impl/src.hpp>
