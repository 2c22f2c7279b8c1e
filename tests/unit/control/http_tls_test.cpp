#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "api_fixture.hpp"
#include "http_fixture.hpp"

namespace simulcast::control::test {

namespace {

class HttpTlsTest : public HttpServerTest {};

// A certificate for itself, and its key, as PEM files.
config::Certificate make_certificate(const std::filesystem::path& directory) {
  config::Certificate files{directory / "certificate.pem", directory / "key.pem"};
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"),
                             -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  FILE* out = std::fopen(files.certificate.c_str(), "w");
  PEM_write_X509(out, certificate);
  std::fclose(out);
  out = std::fopen(files.key.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

TEST_F(HttpTlsTest, OverTls) {
  TemporaryDirectory directory;
  const config::Certificate certificate = make_certificate(directory.path());
  start(certificate);
  asio::io_context io;
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.load_verify_file(certificate.certificate.string());
  context.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<asio::ip::tcp::socket> client(io, context);
  client.next_layer().connect({asio::ip::address_v4::loopback(), port_});
  client.handshake(asio::ssl::stream_base::client);
  asio::write(client,
              asio::buffer(std::string_view("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")));
  std::string received;
  boost::system::error_code error;
  asio::read(client, asio::dynamic_buffer(received), error);
  EXPECT_EQ(error, asio::error::eof);  // by close_notify
  EXPECT_THAT(received, testing::StartsWith("HTTP/1.1 200"));

  // Who does not speak TLS is dropped, and takes nobody along.
  RawClient plain(port_);
  plain.send(kGet);
  plain.read_to_end();
  EXPECT_EQ(handled_, 1);
}

TEST_F(HttpTlsTest, UnusableCertificateIsToldInWords) {
  EXPECT_THROW(start(config::Certificate{"/absent/certificate.pem", "/absent/key.pem"}), std::runtime_error);
}

}  // namespace

}  // namespace simulcast::control::test
