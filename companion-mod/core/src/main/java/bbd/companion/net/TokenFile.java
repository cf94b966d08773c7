package bbd.companion.net;

import bbd.companion.anvil.Durable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;

/** The token that clients must know: 32 random bytes in hexadecimal, in a file that is the owner's alone. */
public final class TokenFile {
    private static final int BYTES = 32;
    private final byte[] digest;

    private TokenFile(String token) {
        this.digest = digest(token);
    }

    /** Reads the token, or makes one. Throws {@link IOException} for a file that others may read, or that holds none. */
    public static TokenFile at(Path path) throws IOException {
        if (!Files.exists(path)) {
            make(path);
        }
        if (isPosix(path)) {
            Set<PosixFilePermission> allowed = Files.getPosixFilePermissions(path);
            if (!Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE).containsAll(allowed)) {
                throw new IOException(path + " can be read by others: remove it, and a new one is made; or chmod 600");
            }
        }
        String token = Files.readString(path).strip();
        if (!token.matches("[0-9a-f]{" + 2 * BYTES + "}")) {
            throw new IOException(path + " holds no token: remove it, and a new one is made");
        }
        return new TokenFile(token);
    }

    /** Whether somebody knows the token; takes as long whatever they say. */
    public boolean accepts(String offered) {
        return MessageDigest.isEqual(digest, digest(offered));
    }

    private static void make(Path path) throws IOException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        byte[] random = new byte[BYTES];
        new SecureRandom().nextBytes(random);
        byte[] text = (HexFormat.of().formatHex(random) + "\n").getBytes(StandardCharsets.US_ASCII);
        FileAttribute<?>[] owner = isPosix(path.toAbsolutePath().getParent())
                ? new FileAttribute<?>[]{
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))}
                : new FileAttribute<?>[0];
        try (FileChannel file = FileChannel.open(path,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), owner)) {
            Durable.writeAll(file, ByteBuffer.wrap(text), 0);
            file.force(true);
        }
    }

    private static boolean isPosix(Path path) throws IOException {
        return Files.getFileStore(path).supportsFileAttributeView("posix");
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
    }
}
