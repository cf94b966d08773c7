package org.bukkit.inventory;

public enum EquipmentSlot {
}
