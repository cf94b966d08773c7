package bbd.companion.minestom;

import bbd.companion.Config;
import java.nio.file.Path;
import java.util.Map;

/** What the server is started with. */
record Arguments(Path world, String listen, int port, int bridgePort, Path tokenFile, boolean protect, int viewDistance,
        boolean untilStdinCloses) {
    static final String USAGE = """
            usage: java -jar bbd-minestom.jar --world DIR [--listen ADDRESS] [--port N] [--bridge-port N]
                   [--token-file FILE] [--unprotected] [--view-distance CHUNKS] [--until-stdin-closes]
            The bridge listens on 127.0.0.1 only. 0 is any free port.""";
    private static final int PORT = 25565;
    private static final int MOST_PORT = 65535;
    private static final int FAR = 32;
    private static final int VIEW = 10;

    /** Throws {@link IllegalArgumentException} with a line for a person. */
    static Arguments parse(String[] words, Map<String, String> environment) {
        Path world = null;
        String listen = "127.0.0.1";
        int port = PORT;
        int bridgePort = Config.PORT;
        Path token = defaultToken(environment);
        boolean protect = true;
        int view = VIEW;
        boolean untilStdinCloses = false;
        for (int i = 0; i < words.length; i++) {
            switch (words[i]) {
                case "--world" -> world = Path.of(value(words, ++i));
                case "--listen" -> listen = value(words, ++i);
                case "--port" -> port = number(words, ++i, 0, MOST_PORT);
                case "--bridge-port" -> bridgePort = number(words, ++i, 0, MOST_PORT);
                case "--token-file" -> token = Path.of(value(words, ++i));
                case "--unprotected" -> protect = false;
                case "--until-stdin-closes" -> untilStdinCloses = true;
                case "--view-distance" -> view = number(words, ++i, 2, FAR);
                default -> throw new IllegalArgumentException("there is no argument " + words[i]);
            }
        }
        if (world == null) {
            throw new IllegalArgumentException("--world is missing");
        }
        return new Arguments(world, listen, port, bridgePort, token, protect, view, untilStdinCloses);
    }

    private static Path defaultToken(Map<String, String> environment) {
        String state = environment.get("XDG_STATE_HOME");
        Path folder = state == null || state.isEmpty()
                ? Path.of(System.getProperty("user.home"), ".local", "state")
                : Path.of(state);
        return folder.resolve("bbd").resolve("companion.token");
    }

    private static String value(String[] words, int at) {
        if (at >= words.length) {
            throw new IllegalArgumentException(words[at - 1] + " needs a value");
        }
        return words[at];
    }

    private static int number(String[] words, int at, int least, int most) {
        try {
            int number = Integer.parseInt(value(words, at));
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException error) {
            // The same sentence.
        }
        throw new IllegalArgumentException(words[at - 1] + " takes a number from " + least + " to " + most);
    }
}
