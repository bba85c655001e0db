"""Wrong hosts, values, files, rights and disks: one clear sentence each, and nothing half done."""
