"""Traffic that was measured or written for other tools, turned into load: traces, fits of calendars, imports."""
