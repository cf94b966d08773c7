package bbd.companion;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What an operator writes into the configuration of a server's plugin.
 *
 * @param config what the core needs
 * @param world name of the server's world that holds the disks; empty for its main one
 * @param saveSeconds how many seconds pass at least between two saves that the companion asks for; 0: it asks for none
 * @param certificate file of the certificate for {@code wss}; empty for plain {@code ws}
 * @param key file of its key
 */
public record Settings(Config config, String world, int saveSeconds, String certificate, String key) {
    private static final Set<String> NAMES = Set.of("world", "bind", "port", "hosts", "certificate", "key", "insecure",
            "protect", "create", "tick-millis", "save-seconds");
    private static final int MAX_PORT = 65535;
    private static final int MAX_MILLIS = 45;
    private static final int MAX_SECONDS = 30;

    /** Throws {@link IllegalArgumentException} with a line for a person; what is missing has its default. */
    public static Settings of(Map<String, Object> values) {
        for (String name : values.keySet()) {
            require(NAMES.contains(name), "there is no setting '" + name + "'; there are "
                    + String.join(", ", NAMES.stream().sorted().toList()));
        }
        Config standard = Config.standard();
        String bind = text(values, "bind", standard.bind());
        String certificate = text(values, "certificate", "");
        String key = text(values, "key", "");
        require(certificate.isEmpty() == key.isEmpty(), "certificate and key belong together: set both or none");
        require(!certificate.isEmpty() || flag(values, "insecure", false) || isLoopback(bind), "bind is " + bind
                + ", which others can reach: set certificate and key, or insecure: true to send the token in the clear");
        Config config = new Config(bind, number(values, "port", 0, MAX_PORT, Config.PORT), hosts(values),
                flag(values, "protect", true), flag(values, "create", false), true,
                number(values, "tick-millis", 1, MAX_MILLIS, (int) standard.tickMillis()),
                standard.helloWithin());
        return new Settings(config, text(values, "world", ""), number(values, "save-seconds", 0, MAX_SECONDS, 5),
                certificate, key);
    }

    private static boolean isLoopback(String bind) {
        try {
            return InetAddress.getByName(bind).isLoopbackAddress();
        } catch (UnknownHostException error) {
            throw new IllegalArgumentException("bind is '" + bind + "', which is no address of this machine", error);
        }
    }

    private static Set<String> hosts(Map<String, Object> values) {
        Set<String> hosts = new HashSet<>();
        Object value = values.getOrDefault("hosts", List.of());
        require(value instanceof List<?>, "hosts must be a list of names, not '" + value + "'");
        ((List<?>) value).forEach(host -> hosts.add(String.valueOf(host)));
        return hosts;
    }

    private static String text(Map<String, Object> values, String name, String standard) {
        Object value = values.getOrDefault(name, standard);
        require(value instanceof String, name + " must be a text, not '" + value + "'");
        return ((String) value).strip();
    }

    private static boolean flag(Map<String, Object> values, String name, boolean standard) {
        Object value = values.getOrDefault(name, standard);
        require(value instanceof Boolean, name + " must be true or false, not '" + value + "'");
        return (Boolean) value;
    }

    private static int number(Map<String, Object> values, String name, int least, int most, int standard) {
        Object value = values.getOrDefault(name, standard);
        require(value instanceof Integer number && number >= least && number <= most,
                name + " must be a whole number from " + least + " to " + most + ", not '" + value + "'");
        return (Integer) value;
    }

    private static void require(boolean right, String wrong) {
        if (!right) {
            throw new IllegalArgumentException(wrong);
        }
    }
}
