package bbd.companion.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TlsTest {
    @TempDir
    Path folder;
    private Path certificate;
    private Path key;

    @BeforeEach
    void copy() throws IOException {
        certificate = copy("certificate.pem");
        key = copy("key.pem");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    }

    private Path copy(String name) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream resource = TlsTest.class.getResourceAsStream("/tls/" + name)) {
            Files.copy(resource, file);
        }
        return file;
    }

    private String refused() {
        return assertThrows(IOException.class, () -> Tls.of(certificate, key)).getMessage();
    }

    @Test
    void aClientThatTrustsTheCertificateIsServed() throws Exception {
        SSLContext server = Tls.of(certificate, key);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream pem = Files.newInputStream(certificate)) {
            trusted.setCertificateEntry("it", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext client = SSLContext.getInstance("TLS");
        client.init(null, trust.getTrustManagers(), null);
        try (var door = (SSLServerSocket) server.getServerSocketFactory().createServerSocket(0, 1,
                InetAddress.getLoopbackAddress())) {
            CompletableFuture<Integer> heard = CompletableFuture.supplyAsync(() -> {
                try (var visitor = door.accept()) {
                    return visitor.getInputStream().read();
                } catch (IOException error) {
                    throw new AssertionError(error);
                }
            });
            try (var socket = (SSLSocket) client.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(),
                    door.getLocalPort())) {
                socket.getOutputStream().write(42);
            }
            assertEquals(42, heard.get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void whatCantBeUsedIsToldInOneLine() throws IOException {
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
        assertTrue(refused().endsWith("key.pem can be read by others: chmod 600"));
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        Files.writeString(key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
        assertTrue(refused().contains("holds no key that is not encrypted"));
        Files.writeString(key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        assertTrue(refused().contains("holds no key of a kind that is known: EC, RSA, Ed25519"));
        Files.writeString(certificate, "nonsense");
        assertTrue(refused().contains("can't be used") || refused().contains("holds no certificate"), refused());
        Files.delete(certificate);
        assertTrue(refused().startsWith("there is no "));
    }
}
