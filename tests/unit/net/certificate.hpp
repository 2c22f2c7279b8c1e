// A certificate for "localhost", made once by each test program with the openssl command.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace simulcast::net::test {

inline const std::filesystem::path& certificate_dir() {
  static const std::filesystem::path dir = [] {
    std::string pattern = std::filesystem::temp_directory_path() / "simulcastd-tls-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    std::filesystem::path made = pattern;
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout '" +
        (made / "key.pem").string() + "' -out '" + (made / "cert.pem").string() + "' 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::atexit([] { std::filesystem::remove_all(certificate_dir()); });
    return made;
  }();
  return dir;
}

}  // namespace simulcast::net::test
