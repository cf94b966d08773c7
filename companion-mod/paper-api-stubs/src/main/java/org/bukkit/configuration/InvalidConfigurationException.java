package org.bukkit.configuration;

public class InvalidConfigurationException extends Exception {
    private static final long serialVersionUID = 1;

    public InvalidConfigurationException(String msg, Throwable cause) {
        super(msg, cause);
    }
}
