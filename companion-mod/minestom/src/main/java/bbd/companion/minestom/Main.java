package bbd.companion.minestom;

import bbd.companion.anvil.SessionLock;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** {@code java -jar bbd-minestom.jar}: exit codes are 0, 1 for what failed, 2 for arguments. */
public final class Main {
    private static final int FAILED = 1;
    private static final int USAGE = 2;

    private Main() {}

    public static void main(String[] words) {
        // Before Minestom's classes are there. Stopping is ours: it must save first.
        System.setProperty("minestom.shutdown-on-signal", "false");
        Arguments arguments;
        try {
            arguments = Arguments.parse(words, System.getenv());
        } catch (IllegalArgumentException error) {
            System.err.println("bbd-minestom: " + error.getMessage() + "\n" + Arguments.USAGE);
            System.exit(USAGE);
            return;
        }
        System.setProperty("minestom.chunk-view-distance", Integer.toString(arguments.viewDistance()));
        try {
            run(arguments);
        } catch (IOException | RuntimeException error) {
            System.err.println("bbd-minestom: " + sentence(error));
            Runtime.getRuntime().halt(FAILED);
        }
    }

    private static void run(Arguments arguments) throws IOException {
        Path world = arguments.world();
        if (!Files.isDirectory(world)) {
            throw new IOException("there is no world " + world + ": make one with bbd create");
        }
        if (arguments.untilStdinCloses()) {
            Thread.ofPlatform().daemon().name("stdin").start(Main::endWithStdin);
        }
        var spawn = Spawn.of(world);
        DemoServer server = new DemoServer(arguments, spawn, SessionLock.take(world));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(server.stop() ? 0 : FAILED)));
        System.out.println(server.ready());
        System.out.flush();
    }

    /** Whoever started this holds the other end, and lets go of it however it ends. */
    private static void endWithStdin() {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException error) {
            // Nobody is there any more, either.
        }
        System.exit(0);
    }

    private static String sentence(Exception error) {
        return error instanceof IOException && error.getMessage() != null ? error.getMessage() : error.toString();
    }
}
