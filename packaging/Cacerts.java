import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;

/**
 * Turns a PEM file of certificates into a trust store without a password, as {@code java} reads it:
 * {@code java Cacerts.java ca-certificates.crt cacerts}.
 */
final class Cacerts {
  private Cacerts() {}

  public static void main(String[] args) throws Exception {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    int number = 0;
    try (var in = Files.newInputStream(Path.of(args[0]))) {
      for (Certificate certificate : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        store.setCertificateEntry("ca-" + number++, certificate);
      }
    }
    if (number == 0) {
      throw new IllegalArgumentException("no certificate in " + args[0]);
    }
    try (var out = Files.newOutputStream(Path.of(args[1]))) {
      store.store(out, null);
    }
  }
}
