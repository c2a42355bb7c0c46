# The same template in the words of Packer 1.6.6 alone: no waiting for what is on the screen, so it waits for a time.
#
#   packer build -var iso=/path/to/mini.iso examples/mini/packer/mini-packer.pkr.hcl

variable "iso" {
  type = string
}

variable "output" {
  type    = string
  default = "build/packer-mini"
}

variable "accelerator" {
  type    = string
  default = "tcg"
}

variable "password" {
  type    = string
  default = "gantry"
}

source "qemu" "mini" {
  iso_url          = var.iso
  iso_checksum     = "file:${dirname(var.iso)}/SHA256SUMS"
  output_directory = var.output
  vm_name          = "mini.qcow2"

  accelerator    = var.accelerator
  machine_type   = "pc"
  memory         = 256
  disk_size      = "1G"
  disk_interface = "virtio"
  net_device     = "virtio-net"
  format         = "qcow2"
  headless       = true

  http_directory = "${path.root}/../http"

  # Three seconds for the BIOS and the menu: enough on a busy machine. Packer presses a key each 100 ms unless told
  # otherwise.
  boot_wait         = "3s"
  boot_key_interval = "20ms"
  boot_command = [
    "<esc><wait>",
    "install answers=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answers<enter>",
  ]

  ssh_username     = "root"
  ssh_password     = var.password
  ssh_timeout      = "5m"
  shutdown_command = "/usr/sbin/poweroff"
}

build {
  sources = ["source.qemu.mini"]

  provisioner "file" {
    source      = "${path.root}/../page"
    destination = "/tmp"
  }

  provisioner "shell" {
    script = "${path.root}/../page/install.sh"
  }

  provisioner "shell" {
    environment_vars = ["BUILT_FROM=${basename(var.iso)}"]
    inline = [
      "echo \"made from $BUILT_FROM on $(uname -m)\" > /etc/motd",
      "cat /etc/motd",
    ]
  }
}
