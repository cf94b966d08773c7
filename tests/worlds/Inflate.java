import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;

/** Inflates files of zlib streams in pieces of odd sizes and as the game does; prints the SHA-256 of what comes out. */
final class Inflate {
    public static void main(String[] arguments) throws Exception {
        for (String argument : arguments) {
            Path path = Path.of(argument);
            System.out.println(inPieces(Files.readAllBytes(path)) + " " + asTheGame(path));
        }
    }

    private static String inPieces(byte[] packed) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        Inflater inflater = new Inflater();
        byte[] out = new byte[997];
        int given = 0;
        while (!inflater.finished()) {
            if (inflater.needsInput()) {
                int size = Math.min(1 + given % 577, packed.length - given);
                inflater.setInput(packed, given, size);
                given += size;
            }
            digest.update(out, 0, inflater.inflate(out));
        }
        if (inflater.getRemaining() != 0 || given != packed.length) {
            return "it ends early";
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String asTheGame(Path path) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (InputStream stream = new InflaterInputStream(Files.newInputStream(path))) {
            digest.update(stream.readAllBytes());
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
